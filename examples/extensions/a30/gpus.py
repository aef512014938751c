GPUS = {
    "A30": Gpu("NVIDIA-A30", 23, 8.0),
}
