"""Ask whether several runs in one program train faster than in programs of their own.

    python benchmarks/together.py [--runs 3] [--steps 200] [--rounds 5]

The step is that of the dense network (784-500-2-500-784, batches of 128, RMSprop), in one XLA loop over many steps:
"stacked" gives every weight an axis for the run, "side by side" has the operations of each run for itself, and XLA may
run those at once. Beside them stand two processes of one thread each, as in `vaelib.sweep`, and one after the other.
Prints the milliseconds that a step of one run takes, the median of the rounds, in turn.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZES = (784, 500), (500, 4), (2, 500), (500, 784)
BATCH_SIZE, BETA, LEARNING_RATE = 128, 0.784, 1e-3


def main():
    """Time every way in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs in one program; default: 3")
    parser.add_argument("--steps", type=int, default=200, help="steps of a round; default: 200")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--alone", action="store_true", help="train one run on one thread until told to stop")
    asked = parser.parse_args()
    if asked.alone:
        return _alone(asked.steps)
    ways = {
        "one after the other": (1, side_by_side(1, asked.steps)),
        f"{asked.runs} stacked": (asked.runs, stacked(asked.runs, asked.steps)),
        f"{asked.runs} side by side": (asked.runs, side_by_side(asked.runs, asked.steps)),
    }
    command = [sys.executable, str(Path(__file__).resolve()), "--alone", "--steps", str(asked.steps)]
    workers = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(2)]
    for worker in workers:
        worker.stdout.readline()
    times = {name: [] for name in (*ways, "two processes")}
    for _ in range(asked.rounds):
        for name, (num_runs, program) in ways.items():
            times[name].append(seconds(program) / asked.steps / num_runs)
        times["two processes"].append(_both(workers) / asked.steps / 2)
    for worker in workers:
        worker.communicate("stop\n")
    base = statistics.median(times["one after the other"])
    print("ms a step of one run     min   median   of one after the other")
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"{name:22s} {1e3 * min(values):6.2f} {1e3 * middle:8.2f} {middle / base:12.2f}")


def _alone(num_steps):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    program = side_by_side(1, num_steps)
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "stop\n":
            return
        print(seconds(program), flush=True)


def _both(workers):
    """Return the seconds until both workers have trained."""
    before = time.perf_counter()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.stdout.readline()
    return time.perf_counter() - before


def seconds(program):
    """Return the seconds that a compiled program takes."""
    before = time.perf_counter()
    program().numpy()
    return time.perf_counter() - before


def stacked(num_runs, num_steps):
    """Return a compiled program that trains several runs, whose weights are one array for each layer."""
    import tensorflow as tf

    kernels = [tf.random.stateless_uniform((num_runs, *size), (0, i), -0.05, 0.05) for i, size in enumerate(SIZES)]
    biases = [tf.zeros((num_runs, 1, size[1])) for size in SIZES]
    return _compiled([kernels + biases], (num_runs, BATCH_SIZE), num_steps)


def side_by_side(num_runs, num_steps):
    """Return a compiled program that trains several runs, each with weights of its own."""
    import tensorflow as tf

    runs = []
    for run in range(num_runs):
        kernels = [tf.random.stateless_uniform(size, (run, i), -0.05, 0.05) for i, size in enumerate(SIZES)]
        runs.append(kernels + [tf.zeros(size[1]) for size in SIZES])
    return _compiled(runs, (BATCH_SIZE,), num_steps)


def _compiled(runs, rows_shape, num_steps):
    """Return a program of many steps of RMSprop, which is compiled and has run once."""
    import tensorflow as tf

    images = tf.random.stateless_uniform((12_800, SIZES[0][0]), (1, 1))

    def loss_of(weights, step, run):
        seed = tf.stack([step, run])
        x = tf.gather(images, tf.random.stateless_uniform(rows_shape, seed, 0, len(images), tf.int32))
        hidden, heads, decoder, logits = (lambda h, i=i: h @ weights[i] + weights[4 + i] for i in range(4))
        z_mean, z_log_var = tf.split(heads(tf.tanh(hidden(x))), 2, axis=-1)
        noise = tf.random.stateless_normal(z_mean.shape, seed)
        x_logits = logits(tf.tanh(decoder(z_mean + tf.exp(0.5 * z_log_var) * noise)))
        distortion = tf.reduce_sum(tf.math.softplus(x_logits) - x * x_logits, axis=-1)
        rate = 0.5 * tf.reduce_sum(z_mean**2 + tf.math.expm1(z_log_var) - z_log_var, axis=-1)
        # Add up the runs, so that none sees the weights of another.
        return tf.reduce_sum(tf.reduce_mean(distortion + BETA * rate, axis=-1))

    def moved(step, weights, squares, run):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = loss_of(weights, step, run)
        gradients = tape.gradient(loss, weights)
        squares = [0.9 * square + 0.1 * g * g for square, g in zip(squares, gradients, strict=True)]
        weights = [
            w - LEARNING_RATE * g / tf.sqrt(s + 1e-7) for w, g, s in zip(weights, gradients, squares, strict=True)
        ]
        return weights, squares

    @tf.function(jit_compile=True)
    def program(all_weights):
        state = [(weights, [tf.zeros_like(w) for w in weights]) for weights in all_weights]

        def body(step, state):
            return step + 1, [moved(step, *each, run) for run, each in enumerate(state)]

        _, state = tf.while_loop(lambda step, _: step < num_steps, body, (0, state))
        return tf.add_n([tf.reduce_sum(w) for weights, _ in state for w in weights])

    program(runs)
    return lambda: program(runs)


if __name__ == "__main__":
    main()
