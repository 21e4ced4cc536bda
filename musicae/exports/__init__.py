"""Models in forms that run without this package: ONNX, and TorchScript for nn~."""
