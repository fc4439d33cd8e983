"""Race PyTorch, step by step."""

import torch
from torch import nn
from turns import BETA, LATENT_DIM, arguments, take_turns


class VAE(nn.Module):
    """Hold the dense network with its loss."""

    def __init__(self, hidden_dim):
        super().__init__()
        self.hidden, self.heads = nn.Linear(784, hidden_dim), nn.Linear(hidden_dim, 2 * LATENT_DIM)
        self.decoder = nn.Sequential(nn.Linear(LATENT_DIM, hidden_dim), nn.Tanh(), nn.Linear(hidden_dim, 784))

    def forward(self, x):
        """Return the loss of a batch, in nats per image."""
        z_mean, z_log_var = self.heads(torch.tanh(self.hidden(x))).chunk(2, dim=1)
        logits = self.decoder(z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean))
        distortion = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        rate = 0.5 * (z_mean**2 + torch.expm1(z_log_var) - z_log_var).sum()
        return (distortion + BETA * rate) / len(x)


def main(compiled=False):
    """Train until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    x = torch.from_numpy(x.reshape(len(x), 784))
    model = VAE(hidden_dim)
    # Keras' RMSprop: rho is alpha, and its epsilon is 1e-7.
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    loss_of = torch.compile(model) if compiled else model

    def epoch():
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch_size):
            loss = loss_of(x[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        return total / len(x)

    take_turns(epoch, version=f"PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
