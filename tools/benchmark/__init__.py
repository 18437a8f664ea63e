"""The parts of tools/bench: TPC-H on Waterbear and its peers, side by side."""
