"""What the front desk remembers: rules, alerts, deliveries, names, places, who may ask."""
