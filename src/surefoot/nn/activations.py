"""Activations: what a layer does to each number that passes.

Every activation is a plain function of its input and its numbers, and an entry of
`ACTIVATIONS` under the name that a recipe uses. An entry says besides when an output lies in the
flat part of the curve (*saturated*). One rule holds for all: the slope there is below
1 − 0.97² = 5.9 % of the slope where the curve is steepest on that side. For tanh this is the
|tanh| > 0.97 of Karpathy's lecture on activation statistics (*makemore*, part 4, 2022); why flat
units stop learning is in Glorot & Bengio (2010), *Understanding the difficulty of training deep
feedforward neural networks*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

FLAT = 1 - 0.97**2
"""A slope below this share of the steepest one counts as flat."""

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

Numbers = Mapping[str, ArrayLike]


def step(x: Array) -> Array:
    """Heaviside step, 1 where x ≥ 0 and 0 elsewhere: for teaching only.

    Derivative: 0 everywhere, so no useful gradient passes and nothing below it learns.
    Source: Rosenblatt (1958), *The perceptron*.

    >>> step(jnp.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 1.0, 1.0]
    """
    return jnp.heaviside(x, 1.0)


def identity(x: Array) -> Array:
    """Return x unchanged; derivative 1.

    >>> identity(jnp.array([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """
    return x


def sigmoid(x: Array) -> Array:
    """f(x) = 1 / (1 + e⁻ˣ), the logistic function; derivative f(1 − f), at most 1/4.

    Source: Rumelhart, Hinton & Williams (1986), *Learning representations by back-propagating
    errors*.

    >>> [round(y, 4) for y in sigmoid(jnp.array([-2.0, 0.0, 2.0])).tolist()]
    [0.1192, 0.5, 0.8808]
    """
    return jax.nn.sigmoid(x)


def tanh(x: Array) -> Array:
    """f(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ); derivative 1 − f², at most 1.

    Source: LeCun, Bottou, Orr & Müller (1998), *Efficient BackProp*, section 4.4.

    >>> [round(y, 4) for y in tanh(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [-0.7616, 0.0, 0.7616]
    """
    return jnp.tanh(x)


def relu(x: Array) -> Array:
    """f(x) = max(0, x); derivative 1 where x > 0 and 0 elsewhere, at x = 0 too (as PyTorch).

    Source: Nair & Hinton (2010), *Rectified linear units improve restricted Boltzmann machines*.

    >>> relu(jnp.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return jax.nn.relu(x)


def softplus(x: Array) -> Array:
    """f(x) = ln(1 + eˣ), a smooth ReLU; derivative sigmoid(x) = 1 − e⁻ᶠ.

    Source: Dugas et al. (2000), *Incorporating second-order functional knowledge for better
    option pricing*.

    >>> [round(y, 4) for y in softplus(jnp.array([-1.0, 0.0, 100.0])).tolist()]
    [0.3133, 0.6931, 100.0]
    """
    return jax.nn.softplus(x)


def leaky_relu(x: Array, slope: ArrayLike = 0.01) -> Array:
    """f(x) = x where x > 0, slope · x elsewhere; derivative 1 or slope (slope at x = 0).

    Source: Maas, Hannun & Ng (2013), *Rectifier nonlinearities improve neural network acoustic
    models*, whose slope of 0.01 is the default.

    >>> leaky_relu(jnp.array([-2.0, 3.0]), slope=0.5).tolist()
    [-1.0, 3.0]
    """
    return jnp.where(x > 0, x, jnp.asarray(slope, x.dtype) * x)


def prelu(x: Array, slope: ArrayLike = 0.25) -> Array:
    """The leaky ReLU with a learned slope: one number for the layer, as PyTorch's default.

    Derivative by x: 1 where x > 0, slope elsewhere; by the slope: the sum of min(0, x) · g over
    all x, g the arriving gradient. Source: He et al. (2015), *Delving deep into rectifiers*,
    which starts the slope at 0.25.

    >>> prelu(jnp.array([-2.0, 3.0])).tolist()
    [-0.5, 3.0]
    """
    return leaky_relu(x, slope)


def rrelu(
    x: Array,
    low: ArrayLike = 1 / 8,
    high: ArrayLike = 1 / 3,
    key: Array | None = None,
    train: bool = False,
) -> Array:
    """The leaky ReLU with a random slope.

    In training each element draws its own slope from U(low, high) with `key`; in evaluation the
    slope is the mean, (low + high) / 2. Derivative: 1 where x > 0, the slope used elsewhere.
    Source: Xu, Wang, Chen & Li (2015), *Empirical evaluation of rectified activations in
    convolutional network*; defaults as PyTorch, 1/8 to 1/3.

    >>> rrelu(jnp.array([-2.0, 3.0]), low=0.25, high=0.75).tolist()
    [-1.0, 3.0]
    """
    low, high = jnp.asarray(low, x.dtype), jnp.asarray(high, x.dtype)
    if train:
        return leaky_relu(x, jax.random.uniform(key, x.shape, x.dtype, low, high))
    return leaky_relu(x, (low + high) / 2)


def elu(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """f(x) = x where x > 0, α(eˣ − 1) elsewhere; derivative 1 or αeˣ = f + α.

    Source: Clevert, Unterthiner & Hochreiter (2016), *Fast and accurate deep network learning by
    exponential linear units*, whose α of 1 is the default.

    >>> [round(y, 4) for y in elu(jnp.array([-1.0, 0.0, 2.0])).tolist()]
    [-0.6321, 0.0, 2.0]
    """
    return jax.nn.elu(x, jnp.asarray(alpha, x.dtype))


def selu(x: Array) -> Array:
    """f(x) = λ · elu(x; α) with λ ≈ 1.0507 and α ≈ 1.6733; derivative λ or f + λα.

    With these two numbers mean 0 and variance 1 are a fixed point from layer to layer (under
    `lecun_normal`). Source: Klambauer, Unterthiner, Mayr & Hochreiter (2017), *Self-normalizing
    neural networks*.

    >>> [round(y, 4) for y in selu(jnp.array([-1.0, 1.0])).tolist()]
    [-1.1113, 1.0507]
    """
    return jax.nn.selu(x)


def gelu(x: Array) -> Array:
    """f(x) = x Φ(x), Φ the normal distribution function (by erf, not the tanh approximation).

    Derivative Φ(x) + x φ(x), φ the normal density. Source: Hendrycks & Gimpel (2016), *Gaussian
    error linear units*.

    >>> [round(y, 4) for y in gelu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [-0.1587, 0.0, 0.8413]
    """
    return jax.nn.gelu(x, approximate=False)


def silu(x: Array) -> Array:
    """f(x) = x σ(x), σ the sigmoid, also named swish; derivative σ(x) (1 + x (1 − σ(x))).

    Source: Elfwing, Uchibe & Doya (2018), *Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning*.

    >>> [round(y, 4) for y in silu(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [-0.2689, 0.0, 0.7311]
    """
    return jax.nn.silu(x)


def exponential(x: Array) -> Array:
    """f(x) = eˣ; derivative f. Infinite above x ≈ 88 in float32, 709 in float64: by definition.

    Source: Nelder & Wedderburn (1972), *Generalized linear models*: the inverse log link.

    >>> [round(y, 4) for y in exponential(jnp.array([-1.0, 0.0, 1.0])).tolist()]
    [0.3679, 1.0, 2.7183]
    """
    return jnp.exp(x)


def softmax(x: Array) -> Array:
    """fᵢ(x) = e^{xᵢ} / Σⱼ e^{xⱼ} over the last axis; derivative ∂fᵢ/∂xⱼ = fᵢ(δᵢⱼ − fⱼ).

    The largest x is taken off first, so nothing overflows. Source: Bridle (1990),
    *Probabilistic interpretation of feedforward classification network outputs*.

    >>> [round(y, 4) for y in softmax(jnp.array([0.0, 1.0, 1.0])).tolist()]
    [0.1554, 0.4223, 0.4223]
    """
    return jax.nn.softmax(x, axis=-1)


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation as a layer uses it.

    `function(x, numbers, params, key, train)` returns y of x's shape and dtype; `saturated(y,
    numbers)` returns which outputs lie in the flat part, or is None where the outputs cannot
    tell (the share of zeros tells for the ReLU; SiLU and GELU are not monotonic). `defaults` are
    the numbers it takes; `learned` names those of them that start there and are then trained,
    given in `params`; `random` says that training needs a key.

    Calling the entry fills in what is left out:

    >>> leaky = ACTIVATIONS["leaky_relu"]
    >>> leaky(jnp.array([-2.0, 3.0]), {"slope": 0.5}).tolist()
    [-1.0, 3.0]
    >>> ACTIVATIONS["tanh"].saturated(jnp.array([0.96, -0.98]), {}).tolist()
    [False, True]
    """

    function: Callable[[Array, Numbers, Mapping[str, Array], Array | None, bool], Array]
    saturated: Callable[[Array, Numbers], Array] | None = None
    defaults: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    learned: tuple[str, ...] = ()
    random: bool = False

    def __call__(
        self,
        x: Array,
        numbers: Numbers | None = None,
        params: Mapping[str, Array] | None = None,
        key: Array | None = None,
        train: bool = False,
    ) -> Array:
        """Apply the function, with the defaults for numbers and params that are left out."""
        numbers = {**self.defaults, **(numbers or {})}
        params = {**{name: numbers[name] for name in self.learned}, **(params or {})}
        return self.function(x, numbers, params, key, train)


def _plain(
    function: Callable[..., Array],
    saturated: Callable[[Array, Numbers], Array] | None = None,
    **defaults: float,
) -> Activation:
    """Return the entry of a function that needs no key and learns nothing."""

    def apply(
        x: Array, numbers: Numbers, params: Mapping[str, Array], key: Array | None, train: bool
    ) -> Array:
        return function(x, **{name: numbers[name] for name in defaults})

    return Activation(apply, saturated, MappingProxyType(defaults))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "step": _plain(step, lambda y, numbers: jnp.ones(y.shape, bool)),
        "identity": _plain(identity),
        # σ(x) = (1 + tanh(x/2)) / 2, so tanh's threshold is met at |2y − 1| > 0.97.
        "sigmoid": _plain(sigmoid, lambda y, numbers: jnp.abs(2 * y - 1) > 0.97),
        "tanh": _plain(tanh, lambda y, numbers: jnp.abs(y) > 0.97),
        "relu": _plain(relu),
        # The slope is 1 − e⁻ʸ: the smooth counterpart of a ReLU's zeros.
        "softplus": _plain(softplus, lambda y, numbers: -jnp.expm1(-y) < FLAT),
        "leaky_relu": _plain(leaky_relu, slope=0.01),
        "prelu": Activation(
            lambda x, numbers, params, key, train: prelu(x, params["slope"]),
            defaults=MappingProxyType({"slope": 0.25}),
            learned=("slope",),
        ),
        "rrelu": Activation(
            lambda x, numbers, params, key, train: rrelu(
                x, numbers["low"], numbers["high"], key, train
            ),
            defaults=MappingProxyType({"low": 1 / 8, "high": 1 / 3}),
            random=True,
        ),
        # On the negative side the slope is y + α, steepest (α) at 0.
        "elu": _plain(
            elu,
            lambda y, numbers: y + numbers["alpha"] < FLAT * jnp.asarray(numbers["alpha"]),
            alpha=1.0,
        ),
        "selu": _plain(selu, lambda y, numbers: y < (FLAT - 1) * SELU_SCALE * SELU_ALPHA),
        "gelu": _plain(gelu),
        "silu": _plain(silu),
        # The slope is y itself; "steep" is its value at x = 0, since it has no largest one.
        "exponential": _plain(exponential, lambda y, numbers: y < FLAT),
        # ∂fᵢ/∂xᵢ = fᵢ(1 − fᵢ), as the sigmoid's: a row is flat when one output holds it all.
        "softmax": _plain(
            softmax,
            lambda y, numbers: jnp.broadcast_to(
                2 * jnp.max(y, axis=-1, keepdims=True) - 1 > 0.97, y.shape
            ),
        ),
    }
)
"""Every activation by its name in a recipe."""
