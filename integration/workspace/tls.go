package workspace

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"time"
)

// authority is a certificate authority in memory with the one certificate it has issued.
// It is immutable.
type authority struct {
	pool *x509.CertPool
	pem  []byte
	cert tls.Certificate
}

func newAuthority(hostname string) (*authority, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "simulated workspace"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	caCert, err := x509.ParseCertificate(caDER)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if hostname != "" {
		leaf.DNSNames = append(leaf.DNSNames, hostname)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, caCert, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(caCert)
	return &authority{
		pool: pool,
		pem:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		cert: tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key},
	}, nil
}

func (a *authority) serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.cert}, MinVersion: tls.VersionTLS12}
}

// AuthorityPEM is the certificate of the authority behind CertPool, for clients outside this
// process; nil without TLS.
func (w *Workspace) AuthorityPEM() []byte {
	if w.ca == nil {
		return nil
	}
	return bytes.Clone(w.ca.pem)
}

// TLSConfig is what a client needs to trust the workspace; without TLS it is an empty
// configuration.
func (w *Workspace) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: w.CertPool(), MinVersion: tls.VersionTLS12}
}

// Transport returns a new transport that trusts the workspace, speaks HTTP/2 with it when TLS is
// on, and connects Options.Hostname to the workspace on every port. The caller closes its idle
// connections.
func (w *Workspace) Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Transport{
		TLSClientConfig:   w.TLSConfig(),
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(addr)
			if err == nil && host == w.opts.Hostname && host != "" {
				addr = w.api.Addr().String()
			}
			for _, l := range []*listener{w.api, w.storage} {
				if m, ok := l.Listener.(*memoryListener); ok && addr == m.address.String() {
					return m.dial(ctx)
				}
			}
			return dialer.DialContext(ctx, network, addr)
		},
	}
}
