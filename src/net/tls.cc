// SPDX-License-Identifier: MIT
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>
#include <utility>

#include "net/address.h"

namespace sluice::net {
namespace {

constexpr std::array<unsigned char, 9> http11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// What OpenSSL complained of first: the later ones only tell who passed it on.
std::string first_words() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

SslContext make_context(const SSL_METHOD* method) {
  SslContext out(SSL_CTX_new(method));
  if (!out) return out;
  SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(out.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return out;
}

// Which origin a client's SSL talks to, so that its sessions find their place. Owned by the SSL.
int origin_slot() {
  static const int slot = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* origin, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(origin); });
  return slot;
}

std::string origin_name(std::string_view host, std::uint16_t port, const std::string& ca_file) {
  std::string out(host);
  out += '\n';
  out += std::to_string(port);
  out += '\n';
  out += ca_file;
  return out;
}

}  // namespace

TlsClients::~TlsClients() {
  // A socket may outlive us and still receive tickets.
  for (const auto& [file, context] : contexts_) SSL_CTX_set_app_data(context.get(), nullptr);
}

Result<SSL_CTX*> TlsClients::context(const std::string& ca_file) {
  if (const auto known = contexts_.find(ca_file); known != contexts_.end()) return known->second.get();
  SslContext made = make_context(TLS_client_method());
  if (!made) return fail(Fault::internal, "TLS cannot start.", "SSL_CTX_new: " + first_words());
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_verify_paths(made.get());
  ERR_clear_error();
  if (!ca_file.empty() && SSL_CTX_load_verify_file(made.get(), ca_file.c_str()) != 1) {
    return fail(Fault::upstream_unreachable, "The upstream's ca_file cannot be used.",
                "TLS: ca_file " + ca_file + ": " + first_words());
  }
  SSL_CTX_set_alpn_protos(made.get(), http11.data(), http11.size());
  SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(made.get(), keep_session);
  SSL_CTX_set_app_data(made.get(), this);
  return contexts_.emplace(ca_file, std::move(made)).first->second.get();
}

Result<Ssl> TlsClients::begin(std::string_view host, std::uint16_t port, const std::string& ca_file) {
  TRY(SSL_CTX * context, this->context(ca_file));
  Ssl ssl(SSL_new(context));
  const std::string name(host);
  X509_VERIFY_PARAM* wanted = ssl ? SSL_get0_param(ssl.get()) : nullptr;
  bool good = wanted != nullptr;
  if (good && parse_address(name)) {
    good = X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
  } else if (good) {
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    good = X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  }
  std::string origin = origin_name(host, port, ca_file);
  const auto kept = sessions_.find(origin);
  if (good && kept != sessions_.end()) SSL_set_session(ssl.get(), kept->second.session.get());
  auto owned = std::make_unique<std::string>(std::move(origin));
  good = good && SSL_set_ex_data(ssl.get(), origin_slot(), owned.get()) == 1;
  if (!good) return fail(Fault::internal, "TLS cannot start.", "TLS client for " + name + ": " + first_words());
  [[maybe_unused]] const auto* with_ssl = owned.release();
  SSL_set_connect_state(ssl.get());
  return ssl;
}

int TlsClients::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* clients = static_cast<TlsClients*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* origin = static_cast<const std::string*>(SSL_get_ex_data(ssl, origin_slot()));
  if (!clients || !origin || SSL_SESSION_is_resumable(session) != 1) return 0;
  clients->keep(*origin, SslSession(session));
  return 1;  // the reference is ours now
}

void TlsClients::keep(const std::string& origin, SslSession session) {
  if (const auto known = sessions_.find(origin); known != sessions_.end()) {
    known->second.session = std::move(session);
    order_.splice(order_.end(), order_, known->second.place);
    return;
  }
  if (sessions_.size() >= most_sessions) {
    sessions_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(origin);
  sessions_.emplace(origin, Kept{std::move(session), std::prev(order_.end())});
}

namespace {

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, http11.data(), http11.size(), offered, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<SslContext> server_context(const std::string& cert_file, const std::string& key_file) {
  SslContext out = make_context(TLS_server_method());
  if (!out) return fail(Fault::internal, "TLS cannot start.", "SSL_CTX_new: " + first_words());
  // A key that wants a passphrase must fail, not ask on the terminal.
  SSL_CTX_set_default_passwd_cb(out.get(), [](char*, int, int, void*) { return 0; });
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(out.get(), cert_file.c_str()) != 1) {
    return fail(Fault::bad_request, "The certificate file " + cert_file + " cannot be used: " + first_words() + ".");
  }
  if (SSL_CTX_use_PrivateKey_file(out.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return fail(Fault::bad_request,
                  "The key in " + key_file + " does not belong to the certificate in " + cert_file + ".");
    }
    return fail(Fault::bad_request, "The key file " + key_file + " cannot be used: " + first_words() + ".");
  }
  static constexpr std::array<unsigned char, 6> id{'s', 'l', 'u', 'i', 'c', 'e'};
  SSL_CTX_set_session_id_context(out.get(), id.data(), id.size());
  SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);  // tickets only: nothing to keep, nothing to lock
  SSL_CTX_set_options(out.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(out.get(), choose_protocol, nullptr);
  return out;
}

}  // namespace

TlsServer::TlsServer(std::string cert_file, std::string key_file, SslContext context)
    : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)), context_(std::move(context)) {}

Result<std::shared_ptr<TlsServer>> TlsServer::make(std::string cert_file, std::string key_file) {
  TRY(auto context, server_context(cert_file, key_file));
  return std::shared_ptr<TlsServer>(new TlsServer(std::move(cert_file), std::move(key_file), std::move(context)));
}

Result<bool> TlsServer::reload() {
  TRY(auto context, server_context(cert_file_, key_file_));
  const std::scoped_lock lock(mutex_);
  context_ = std::move(context);
  return true;
}

Ssl TlsServer::begin() const {
  const std::scoped_lock lock(mutex_);
  Ssl out(SSL_new(context_.get()));
  if (out) SSL_set_accept_state(out.get());
  return out;
}

}  // namespace sluice::net
