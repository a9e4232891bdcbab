"""The hostile storm: attackers beside the midnight storm, each in a process of its own, and what well-behaved tills notice.

`attacker.py` is what every attack has, `strangers.py` and `terminals.py` are the attacks, `bodies.py` what they send;
`python -m tests.bench.hostile` plays one of them. `crowd.py` starts them all, `tills.py` are the well-behaved tills,
`peaks.py` watches memory, `night.py` is the whole run, `verdict.py` says which promise was broken, `report.py` tells it.
"""
