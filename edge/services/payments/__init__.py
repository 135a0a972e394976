"""Taking payments: before, at the terminal, after it; doubts, and money back."""
