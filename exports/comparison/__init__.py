"""Two guides of the same flow, held against one another step by step: words and pictures."""
