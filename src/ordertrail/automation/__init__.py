"""What happens by itself: work that no caller waits for."""
