from jax import lax


def conv2d(x, k, stride=1, padding="same", method="auto"):
    s = (stride, stride) if isinstance(stride, int) else stride
    return lax.conv_general_dilated(
        x, k, s, padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def max_pool2d(x, size, stride=None, padding="valid"):
    import jax.numpy as jnp

    return lax.reduce_window(
        x, -jnp.inf, lax.max, (1, *size, 1), (1, *(stride or size), 1), padding.upper()
    )


def average_pool2d(x, size, stride=None, padding="valid"):
    raise NotImplementedError
