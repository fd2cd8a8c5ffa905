"""What happens at a time: recurrences, digests, scheduled drafts, and the ticks that look for them."""
