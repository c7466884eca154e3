"""Lets the folders below use the helpers of this one: pytest makes a folder with this file importable."""
