"""The format that the SDK, the server and the workers share: pure standard library.

frames   segment headers and frames, as they lie on disk
batch    columns of a batch, as they travel
runs     what a run is called and what its records say
topics   the names under which live data are published
"""
