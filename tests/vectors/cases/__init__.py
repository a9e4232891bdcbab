"""The cases, thought of by hand: names, what is sent, and the reasons that it must get."""
