"""What developers, integrators and the curious run: private servers, simulated tills, the conformance kit.

Nothing of it is in the production image, and nothing outside this room may import it.
"""
