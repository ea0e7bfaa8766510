"""What may help a net that does not learn well: one small file each, and a registry."""
