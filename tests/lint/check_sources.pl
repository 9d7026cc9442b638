#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The rules of docs/architecture.md that a search can check: which layer may include which, what appears in one place
# only, and the licence line of every file.
#   check_sources.pl [ROOT]    prints "file:line: rule: what" and exits 1 where there is any
use strict;
use warnings;

chdir($ARGV[0] // '.') or die "$ARGV[0]: $!\n";

# Each layer, and the folders that it may include besides its own and include/detect/.
my %may_use = (
    'src/base'                   => [],
    'src/image'                  => [qw(src/base)],
    'src/nn'                     => [qw(src/base)],
    'src/nn/kernels'             => [qw(src/base src/nn)],
    'src/nn/onednn'              => [qw(src/base src/nn src/nn/kernels)],
    'proposals'                  => [qw(src/base src/image)],
    'proposals/controls'         => [qw(src/base src/image proposals)],
    'proposals/selective_search' => [qw(src/base src/image proposals)],
    'proposals/multibox'         => [qw(src/base src/image src/nn proposals)],
    'src/data'                   => [qw(src/base)],
    'src/detector' => [
        qw(src/base src/image src/nn proposals proposals/controls proposals/selective_search proposals/multibox
            src/data)
    ],
    'eval'         => [qw(src/base src/image src/data)],
    'src/train'    => [
        qw(src/base src/image src/nn proposals proposals/controls proposals/selective_search proposals/multibox
            src/data src/detector eval)
    ],
    'src/cli' => [],
);

# What appears in few places: the rule's name, the paths where it is allowed, and how to recognise it.
my $call     = qr/(?<![.>\w])/;    # the name of a function begins here
my @confined = (
    [onednn => qr{^src/nn/onednn/},        qr/^\s*#\s*include.*\bdnnl/],
    [opencv => qr{^tests/bench/},          qr/^\s*#\s*include.*\bopencv2/],
    [blas   => qr{^src/train/blas\.c},    qr/^\s*#\s*include.*\b(cblas|f77blas|lapack|openblas)/],
    [openmp => qr{^src/base/parallel\.c},  qr/^\s*#\s*(include\s*<omp\.h>|pragma\s+omp\b)/],
    [public => qr{^(src|proposals|eval)/}, qr{^\s*#\s*include\s*+(?!"detect/|<(std\w+|limits|inttypes)\.h>)}],
    [printing => qr{^src/cli/}, qr/${call}(v?printf|puts|putchar|perror)\s*\(|\b(stdout|stderr|cout|cerr)\b/],
    [exit     => qr{^src/cli/}, qr/${call}(_?exit|_Exit|quick_exit|abort)\s*\(/],
    [   memory => qr{^src/(base/memory\.c|cli/)},
        qr/${call}(malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|strn?dup|v?asprintf|getline)\s*\(/
    ],
    [global   => qr{^src/cli/}, qr/\b(setNumThreads|openblas_set_num_threads|setlocale|signal|sigaction)\s*\(/],
    [   unsafe => qr/(?!)/,
        qr/${call}(strcat|strncpy|v?sprintf|gets|strtok|ato[ifl]|rand|tmpnam|mktemp|alloca)\s*\(/
    ],
);

sub text_of {
    my ($path) = @_;
    local $/;
    open my $file, '<', $path or die "$path: $!\n";
    return <$file> // '';
}

# A C source line for line, without comments and without what strings hold; includes stay.
sub code_lines {
    my ($text) = @_;
    $text =~ s{(^[ \t]*\#[ \t]*include[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(/\*.*?\*/|//[^\n]*)}
              {defined $1 ? $1 : defined $2 ? '""' : $3 =~ s/[^\n]+//gr}gems;
    return split /\n/, $text, -1;
}

# The layer a path lies in: the longest folder of the table that holds it; '' for none.
sub layer_of {
    my ($folder) = @_;
    while ($folder =~ s{/[^/]*$}{}) {
        return $folder if $may_use{$folder};
    }
    return '';
}

sub include_fault {
    my ($path, $name) = @_;
    my ($from, $to) = (layer_of($path), layer_of($name));
    return if $name =~ m{^detect/};
    if ($name !~ m{/}) {    # protobuf-c generates into the build folder
        return $name =~ /\.pb-c\.h$/ && $from eq 'src/nn' ? () : "root: \"$name\" is not written from the root";
    }
    return if $to && grep { $_ eq $to } $from, @{ $may_use{$from} // [] };
    return 'layer: ' . ($from || 'this folder') . " may not use $name";
}

sub line_faults {
    my ($path, $line) = @_;
    my @faults = $line =~ /^\s*#\s*include\s*"([^"]+)"/ ? include_fault($path, $1) : ();
    for (@confined) {
        my ($rule, $allowed, $pattern) = @$_;
        push @faults, "$rule: $line" if $path !~ $allowed && $line =~ $pattern;
    }
    return @faults;
}

sub has_licence {
    my ($path) = @_;
    return 1 if $path =~ m{^LICENSE$|\.json$|^tests/fuzz/seeds/|\.(png|jpg|webp)$};    # cannot hold a comment
    return text_of($path) =~ /\A(?:[^\n]*\n){0,2}[^\n]*SPDX-License-Identifier: Apache-2\.0/;
}

my $faults = 0;
for my $path (sort split /\0/, `find . \\( -name .git -o -path ./build \\) -prune -o -type f -printf '%P\\0'`) {
    my @lines = $path =~ m{^(include|src|proposals|eval)/.*\.([ch]|cpp)$} ? code_lines(text_of($path)) : ();
    my @found = has_licence($path) ? () : "1: licence: no SPDX line";
    for my $i (0 .. $#lines) {
        push @found, map { $i + 1 . ": $_" } line_faults($path, $lines[$i]);
    }
    print "$path:$_\n" for @found;
    $faults += @found;
}
exit($faults ? 1 : 0);
