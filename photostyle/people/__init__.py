"""People in photographs: where faces are, and the skin that belongs to them."""
