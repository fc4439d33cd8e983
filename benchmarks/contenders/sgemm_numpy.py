"""Race the floor: the five big matrix products of a step, and nothing else; NumPy's BLAS."""

import numpy as np
from turns import arguments, take_turns


def products(batch_size, hidden_dim):
    """Return pairs of matrices: two forward, two weight gradients, one input gradient."""
    rng = np.random.default_rng(0)
    shapes = {
        "x": (batch_size, 784),
        "h": (batch_size, hidden_dim),
        "encoder": (784, hidden_dim),
        "decoder": (hidden_dim, 784),
    }
    m = {name: rng.standard_normal(shape, "float32") for name, shape in shapes.items()}
    forward = (m["x"], m["encoder"]), (m["h"], m["decoder"])
    weight_gradients = (m["x"].T, m["h"]), (m["h"].T, m["x"])
    input_gradient = (m["x"], m["decoder"].T)
    return [*forward, *weight_gradients, input_gradient]


def main():
    """Multiply until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    todo = [(a, b, np.empty((a.shape[0], b.shape[1]), "float32")) for a, b in products(batch_size, hidden_dim)]

    def epoch():
        for _ in range(-(-len(x) // batch_size)):
            for a, b, out in todo:
                np.matmul(a, b, out=out)

    take_turns(epoch, version=f"NumPy {np.__version__}")


if __name__ == "__main__":
    main()
