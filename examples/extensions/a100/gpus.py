GPUS = {
    "A100": Gpu("NVIDIA-A100-SXM4-80GB", 79, 8.0),
}
