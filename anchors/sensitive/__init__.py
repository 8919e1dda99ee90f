"""What should be hidden in a recording: e-mail addresses, card numbers, tokens and keys, phone numbers, and names."""
