# syntax=docker/dockerfile:1
# The binary alone, on Debian without a compiler, for a user without rights. The image has no PostgreSQL: a container is
# given DATABASE_URL.
#
#   docker build --build-arg KINDRED_COMMIT="$(git rev-parse --short=12 HEAD)" --tag kindred-analytics .

FROM rust:1.95-slim-bookworm AS build
# perl and make build the OpenSSL that is linked in.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc g++ make perl pkg-config \
    && rm -rf /var/lib/apt/lists/*
# The image's own toolchain, in place of rust-toolchain.toml's, which brings clippy and rustfmt.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_INCREMENTAL=0
ARG KINDRED_COMMIT=
WORKDIR /build
COPY . .
# What cargo fetches and builds is kept from one build of the image to the next.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --profile dist --package kindred \
    && install -D target/dist/kindred /out/kindred

FROM debian:bookworm-slim
# Certificates of the authorities for what is reached by TLS; curl for the health checks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/kindred --create-home --shell /usr/sbin/nologin kindred
COPY --from=build /out/kindred /usr/local/bin/kindred
USER 10001
WORKDIR /var/lib/kindred
ENV STATE_DIR=/var/lib/kindred
VOLUME /var/lib/kindred
EXPOSE 3008 3010
ENTRYPOINT ["kindred"]
CMD ["serve"]
