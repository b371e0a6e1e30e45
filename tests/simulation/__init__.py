"""The real layers of windows and office in one process and one thread, driven by one seed.

Real: the store with its SQL, the desk's use cases, push, pull and blocks of numbers, the whole application of
the office over its database. Simulated: clocks, network, disks, crashes, printers, people. What a simulation
cannot show: two transactions of the office at one moment, and power lost in the middle of a disk's write.
"""
