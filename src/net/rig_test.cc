// SPDX-License-Identifier: MIT
#include "net/rig_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace sluice::net::rig {
namespace {

// What main() does for the program: OpenSSL writes without a flag against SIGPIPE.
[[maybe_unused]] const auto ignored = std::signal(SIGPIPE, SIG_IGN);

struct Bomb final : Alarm {
  void ring() override {
    std::fputs("a task did not end in 20 s\n", stderr);
    std::abort();
  }
};

struct Stop final : Alarm {
  explicit Stop(Loop& of) : loop(of) {}
  Loop& loop;
  void ring() override { loop.stop(); }
};

}  // namespace

Rig::Rig() {
  auto made = Loop::make();
  if (!made) std::abort();
  loop = std::move(*made);
}

void Rig::spin() {
  Bomb bomb;
  loop->wheel().set(bomb, Loop::clock_ns() / 1'000'000 + 20'000);
  spinning_ = true;
  loop->run();
  spinning_ = false;
}

void Rig::idle(int ms) {
  Stop stop(*loop);
  loop->wheel().set(stop, Loop::clock_ns() / 1'000'000 + ms);
  loop->run();
}

Peer::Peer(std::function<void(int fd)> serve, bool v6) {
  listener_ = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (v6) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(address);
    in6.sin6_family = AF_INET6;
    in6.sin6_addr = in6addr_loopback;
    size = sizeof in6;
  } else {
    auto& in4 = reinterpret_cast<sockaddr_in&>(address);
    in4.sin_family = AF_INET;
    in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof in4;
  }
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port =
      ntohs(v6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port : reinterpret_cast<sockaddr_in&>(address).sin_port);
  thread_ = std::jthread([this, serve = std::move(serve)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      serve(fd);
      close(fd);
    }
  });
}

Peer::~Peer() {
  thread_.request_stop();
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string read_some(int fd, std::size_t most) {
  std::string out(most, '\0');
  const ssize_t got = recv(fd, out.data(), most, 0);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

std::string read_exactly(int fd, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    const std::string more = read_some(fd, size - out.size());
    if (more.empty()) break;
    out += more;
  }
  return out;
}

std::string read_until(int fd, std::string_view mark) {
  std::string out;
  while (out.find(mark) == std::string::npos) {
    const std::string more = read_some(fd);
    if (more.empty()) break;
    out += more;
  }
  return out;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void echo(int fd) {
  for (;;) {
    const std::string bytes = read_some(fd);
    if (bytes.empty()) return;
    write_all(fd, bytes);
  }
}

Pair pair(bool nonblocking_b) {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) != 0) std::abort();
  if (!nonblocking_b) fcntl(fds[1], F_SETFL, 0);
  return {fds[0], fds[1]};
}

struct Certificates::Issuer {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  long serial = 1;
  ~Issuer() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
};

namespace {

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX ground;
  X509V3_set_ctx(&ground, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &ground, kind, value.c_str());
  if (!extension) std::abort();
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* certificate(const std::string& name, EVP_PKEY* key, long serial, long from, long until) {
  X509* out = X509_new();
  X509_set_version(out, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out), serial);
  X509_gmtime_adj(X509_getm_notBefore(out), from);
  X509_gmtime_adj(X509_getm_notAfter(out), until);
  X509_set_pubkey(out, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return out;
}

template <class Write>
void write_pem(const std::string& path, Write write) {
  FILE* file = std::fopen(path.c_str(), "w");
  if (!file) std::abort();
  write(file);
  std::fclose(file);
}

}  // namespace

Certificates::Certificates() : issuer_(std::make_unique<Issuer>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
  if (!mkdtemp(pattern.data())) std::abort();
  directory_ = pattern;
  issuer_->key = EVP_EC_gen("P-256");
  issuer_->certificate = certificate("Rig CA", issuer_->key, issuer_->serial++, -86400, 86400);
  X509* ca = issuer_->certificate;
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(ca, issuer_->key, EVP_sha256());
  write_pem(path("ca.pem"), [&](FILE* file) { PEM_write_X509(file, ca); });
}

Certificates::~Certificates() {
  std::filesystem::remove_all(directory_);
}

void Certificates::make(const std::string& name, const std::string& names, long from, long until) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* leaf = certificate(name, key, issuer_->serial++, from, until);
  X509_set_issuer_name(leaf, X509_get_subject_name(issuer_->certificate));
  extend(leaf, issuer_->certificate, NID_subject_alt_name, names);
  X509_sign(leaf, issuer_->key, EVP_sha256());
  write_pem(path(name + ".pem"), [&](FILE* file) { PEM_write_X509(file, leaf); });
  write_pem(path(name + ".key"),
            [&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
  X509_free(leaf);
  EVP_PKEY_free(key);
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace sluice::net::rig
