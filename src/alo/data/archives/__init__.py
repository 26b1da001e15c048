"""Archives: packed, unpacked, and nothing leaves its folder."""
