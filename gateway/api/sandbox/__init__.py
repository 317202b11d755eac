"""The sandbox: a made-up district on which vendors try their programs, with faults that they switch on."""
