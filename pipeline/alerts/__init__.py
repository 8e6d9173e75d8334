"""What operators are warned of: rules over what is seen, one alert per visit."""
