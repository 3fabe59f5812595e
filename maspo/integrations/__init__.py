"""MASPO in other people's trainers. The core of the package imports nothing from here."""
