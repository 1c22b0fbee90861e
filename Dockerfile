# The operator's image, for the architecture that it is built on: its binary, and the authorities that TLS trusts.
FROM rust:1.95-trixie AS build
WORKDIR /source
COPY . .
RUN cargo build --locked --release --package jwthttpapi

FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /source/target/release/jwthttpapi /usr/local/bin/jwthttpapi
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/jwthttpapi"]
