"""What ``ajo-dispatch doctor`` looks at, a module for each subject.

What is to be said of the facts is pure; ``…_wire`` modules, and coroutines named ``look_…``, get them.
"""
