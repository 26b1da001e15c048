"""What programs made for ALO 2.x import; the engine is the installed package ``alo``."""
