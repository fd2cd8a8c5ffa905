"""A hostile hour beside a calm one: what strangers, feeds and folders do, and what others feel of it."""
