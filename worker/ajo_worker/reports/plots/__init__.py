"""Plots, as SVG that stands inside the page: by matplotlib, coloured by the page's own style."""
