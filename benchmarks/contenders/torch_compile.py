"""Race PyTorch, with torch.compile."""

from torch_eager import main

main(compiled=True)
