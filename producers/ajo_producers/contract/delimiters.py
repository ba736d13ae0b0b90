"""What separates the columns of a CSV file, as spreadsheets and databases write it. Pure."""

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""By their names, the usual one first: it counts where a header fits with several."""
