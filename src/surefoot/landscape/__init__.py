"""The error surface at a point of training: Hessian-vector products, spectra, trials, slices."""
