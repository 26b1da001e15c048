"""Who may see and change what: hosts and origins, sign-in, sessions, tokens, roles."""
