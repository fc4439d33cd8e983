"""Race the floor: the five big matrix products of a step, and nothing else; PyTorch's BLAS."""

import torch
from sgemm_numpy import products
from turns import arguments, take_turns


def main():
    """Multiply until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    pairs = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in products(batch_size, hidden_dim)]
    todo = [(a, b, torch.empty((a.shape[0], b.shape[1]))) for a, b in pairs]

    def epoch():
        for _ in range(-(-len(x) // batch_size)):
            for a, b, out in todo:
                torch.mm(a, b, out=out)

    take_turns(epoch, version=f"PyTorch {torch.__version__}")


main()
