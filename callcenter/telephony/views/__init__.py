"""Pages of telephony, split by who asks: people and machines."""
