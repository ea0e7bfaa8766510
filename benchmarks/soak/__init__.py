"""Whether what Surefoot promises of durability holds: kills, full disks, damaged files."""
