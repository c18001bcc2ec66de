"""`hivesync live`: show files of this machine to others as they are written, and watch what others show."""
