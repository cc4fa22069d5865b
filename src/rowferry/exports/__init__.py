"""The engine: rows of any declared model become a file that can be proved. Knows no asset and no ticket."""
