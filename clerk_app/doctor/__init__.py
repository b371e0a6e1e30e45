"""The doctor: looks at everything a window needs and says what is wrong and the one thing to do.

Each look is independent of the others, changes nothing, and has its time; what does not answer is told so.
"""
