"""What goes out: claim a delivery, render it, wait for the limits, send it, record what happened."""
