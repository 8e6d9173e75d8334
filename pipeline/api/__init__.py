"""The front desk's API: what pages and programs ask the site, and what they may know."""
