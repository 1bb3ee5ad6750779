// SPDX-License-Identifier: MIT
#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "net/rig_test.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;

TEST(TlsServer, KeepsTheOldCertificateWhenTheNewOneIsBad) {
  rig::Certificates certificates;
  certificates.make("one", "DNS:one");
  certificates.make("two", "DNS:two");
  const auto server = *TlsServer::make(certificates.path("one.pem"), certificates.path("one.key"));
  const auto common_name = [&] {
    const Ssl ssl = server->begin();
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get_certificate(ssl.get())), NID_commonName, name.data(),
                              name.size());
    return std::string(name.data());
  };
  EXPECT_EQ(common_name(), "one");
  std::filesystem::copy_file(certificates.path("two.pem"), certificates.path("one.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto half = server->reload();
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error()->message, HasSubstr("does not belong to the certificate"));
  EXPECT_EQ(common_name(), "one");
  std::filesystem::copy_file(certificates.path("two.key"), certificates.path("one.key"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(server->reload());
  EXPECT_EQ(common_name(), "two");
  std::filesystem::remove(certificates.path("one.pem"));
  const auto missing = server->reload();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error()->message, HasSubstr("one.pem"));
  EXPECT_THAT(missing.error()->message, HasSubstr("o such file"));
  EXPECT_EQ(common_name(), "two");
}

TEST(TlsServer, BeginsConnectionsWhileItReloads) {
  rig::Certificates certificates;
  certificates.make("one", "DNS:one");
  const auto server = *TlsServer::make(certificates.path("one.pem"), certificates.path("one.key"));
  std::atomic<bool> over{false};
  std::atomic<int> begun{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (!over) begun += server->begin() != nullptr;
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(server->reload());
  over = true;
  workers.clear();
  EXPECT_GT(begun, 0);
}

}  // namespace
}  // namespace sluice::net
