"""What a run left behind, for other programs: tables, pictures, TensorBoard, MLflow."""
