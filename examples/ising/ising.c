/* Two-dimensional Ising model: Metropolis sweeps over a periodic square lattice, in units of J and k_B. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_ROWS 200  /* the whole series would be larger than all else together */

typedef struct {
    double temperature;
    long size, sweeps, equilibration;
    uint64_t seed;
} Deck;

typedef struct {
    signed char *spins;
    long size;
    long energy, magnetisation;  /* kept up to date by every flip */
} Lattice;

typedef struct {
    double m, m2, e, e2;
    double accepted;
    long count;
} Sums;

static void fail(const char *message, const char *detail) {
    fprintf(stderr, "ising: %s `%s`\n", message, detail);
    exit(1);
}

/* splitmix64 (Steele, Lea and Flood, 2014): any seed is a good seed, 0 included. */
static double next_uniform(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

static long parse_long(const char *name, const char *text) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0') fail("no whole number in the deck for", name);
    return value;
}

static double parse_double(const char *name, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || *end != '\0') fail("no number in the deck for", name);
    return value;
}

static void set_value(Deck *deck, const char *name, const char *text) {
    if (strcmp(name, "temperature") == 0) deck->temperature = parse_double(name, text);
    else if (strcmp(name, "size") == 0) deck->size = parse_long(name, text);
    else if (strcmp(name, "sweeps") == 0) deck->sweeps = parse_long(name, text);
    else if (strcmp(name, "equilibration") == 0) deck->equilibration = parse_long(name, text);
    else if (strcmp(name, "seed") == 0) deck->seed = (uint64_t)parse_long(name, text);
    else fail("the deck has the unknown name", name);
}

static Deck read_deck(const char *path) {
    Deck deck = {0};
    char line[256], name[64], text[64];
    FILE *file = fopen(path, "r");
    if (file == NULL) fail("cannot read", path);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " \t\r")] == '\0') continue;
        if (sscanf(line, " %63[a-z] = %63s", name, text) != 2) fail("not `name = value`:", line);
        set_value(&deck, name, text);
    }
    fclose(file);
    if (!(deck.temperature > 0)) fail("must be above 0:", "temperature");
    if (deck.size < 2) fail("must be at least 2:", "size");
    if (deck.sweeps < 1) fail("must be at least 1:", "sweeps");
    if (deck.equilibration < 0) fail("must not be negative:", "equilibration");
    return deck;
}

/* All spins up: below the critical temperature a random start can freeze into stripes. */
static Lattice ordered_lattice(long size) {
    Lattice lattice = {malloc((size_t)(size * size)), size, -2 * size * size, size * size};
    if (lattice.spins == NULL) fail("no memory for", "size");
    memset(lattice.spins, 1, (size_t)(size * size));
    return lattice;
}

/* As many attempts as there are spins; returns how many flipped. `boltzmann[k]` is exp(-4 k / T).
   Spins are drawn at random: taken in turn, they leave some states of a small lattice out of reach. */
static long sweep(Lattice *lattice, const double boltzmann[3], uint64_t *random) {
    long size = lattice->size, spins = size * size, flips = 0;
    for (long attempt = 0; attempt < spins; attempt++) {
        long site = (long)(next_uniform(random) * (double)spins);
        long i = site / size, j = site % size;
        signed char *row = lattice->spins + i * size;
        const signed char *above = lattice->spins + (i == 0 ? size - 1 : i - 1) * size;
        const signed char *below = lattice->spins + (i == size - 1 ? 0 : i + 1) * size;
        int neighbours = row[j == 0 ? size - 1 : j - 1] + row[j == size - 1 ? 0 : j + 1] + above[j] + below[j];
        int cost = 2 * row[j] * neighbours;
        if (cost > 0 && next_uniform(random) >= boltzmann[cost / 4]) continue;
        row[j] = (signed char)-row[j];
        lattice->energy += cost;
        lattice->magnetisation += 2 * row[j];
        flips++;
    }
    return flips;
}

static Sums simulate(const Deck *deck, FILE *series) {
    Lattice lattice = ordered_lattice(deck->size);
    double spins = (double)(deck->size * deck->size);
    double boltzmann[3] = {1.0, exp(-4.0 / deck->temperature), exp(-8.0 / deck->temperature)};
    uint64_t random = deck->seed;
    long stride = (deck->sweeps + SERIES_ROWS - 1) / SERIES_ROWS;
    Sums sums = {0};

    for (long n = 0; n < deck->equilibration; n++) sweep(&lattice, boltzmann, &random);
    fprintf(series, "sweep,magnetisation,energy\n");
    for (long n = 1; n <= deck->sweeps; n++) {
        sums.accepted += (double)sweep(&lattice, boltzmann, &random) / spins;
        double m = fabs((double)lattice.magnetisation) / spins, e = (double)lattice.energy / spins;
        sums.m += m;
        sums.m2 += m * m;
        sums.e += e;
        sums.e2 += e * e;
        sums.count++;
        if (n % stride == 0) fprintf(series, "%ld,%.6f,%.6f\n", n, m, e);
    }
    free(lattice.spins);
    return sums;
}

static FILE *open_output(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) fail("cannot write", path);
    return file;
}

static void close_output(FILE *file, const char *path) {
    if (ferror(file) || fclose(file) != 0) fail("cannot write", path);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: ising DECK\n");
        return 2;
    }
    Deck deck = read_deck(arguments[1]);
    FILE *series = open_output("series.csv");
    Sums sums = simulate(&deck, series);
    close_output(series, "series.csv");

    double n = (double)sums.count, spins = (double)(deck.size * deck.size), t = deck.temperature;
    double m = sums.m / n, e = sums.e / n;
    FILE *observables = open_output("observables.json");
    fprintf(observables, "{\n  \"susceptibility\": %.8g,\n  \"specific_heat\": %.8g,\n  \"acceptance\": %.8g\n}\n",
            spins * (sums.m2 / n - m * m) / t, spins * (sums.e2 / n - e * e) / (t * t), sums.accepted / n);
    close_output(observables, "observables.json");

    printf("M=%.8f\nE=%.8f\n", m, e);
    return 0;
}
