# The manager as a static binary, and nothing else. The builder runs on the machine's own
# platform and cross-compiles, so that no emulation is needed.
FROM --platform=$BUILDPLATFORM golang:1.26 AS builder

WORKDIR /workspace

# Modules change less often than code, so they get a layer of their own.
COPY go.mod go.sum ./
RUN go mod download

COPY api/ api/
COPY internal/ internal/
COPY cmd/manager/ cmd/manager/

ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o manager ./cmd/manager

FROM scratch

# The service's endpoints are verified against the public certificate authorities.
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=builder /workspace/manager /manager

# A number and not a name, so that the kubelet can tell that it is not root.
USER 65532:65532

ENTRYPOINT ["/manager"]
