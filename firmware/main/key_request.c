#include "key_request.h"

#include <stdio.h>

#include "mbedtls/pk.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/x509_csr.h"
#include "port.h"
#include "psa/crypto.h"

/* Mbed TLS 4 makes keys through PSA only; its X.509 writer takes them as a pk context. */
static bool make_key(mbedtls_pk_context *pk)
{
  mbedtls_svc_key_id_t id = MBEDTLS_SVC_KEY_ID_INIT;
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
  /* Exportable, since it is kept in NVS as text and handed to TLS as such. */
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
  psa_status_t status = psa_generate_key(&attributes, &id);
  if (status != PSA_SUCCESS) {
    port_log(LOG_ERROR, "key_fault", status);
    return false;
  }
  int err = mbedtls_pk_copy_from_psa(id, pk);
  psa_destroy_key(id);
  if (err != 0) port_log(LOG_ERROR, "key_fault", err);
  return err == 0;
}

static bool write_request(struct key_request *made, mbedtls_pk_context *pk, const char *common_name)
{
  char subject[96];
  mbedtls_x509write_csr csr;
  int length = snprintf(subject, sizeof subject, "CN=%s,O=AutoVolt", common_name);
  if (length < 0 || (size_t)length >= sizeof subject) return false;
  mbedtls_x509write_csr_init(&csr);
  mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
  mbedtls_x509write_csr_set_key(&csr, pk);
  int err = mbedtls_x509write_csr_set_subject_name(&csr, subject);
  if (err == 0) err = mbedtls_x509write_csr_pem(&csr, (unsigned char *)made->request, sizeof made->request);
  if (err == 0) err = mbedtls_pk_write_key_pem(pk, (unsigned char *)made->key, sizeof made->key);
  mbedtls_x509write_csr_free(&csr);
  if (err != 0) port_log(LOG_ERROR, "request_fault", err);
  return err == 0;
}

bool key_request_make(struct key_request *made, const char *common_name)
{
  mbedtls_pk_context pk;
  mbedtls_pk_init(&pk);
  bool done = make_key(&pk) && write_request(made, &pk, common_name);
  mbedtls_pk_free(&pk);
  if (!done) key_request_forget(made);
  return done;
}

void key_request_forget(struct key_request *made)
{
  mbedtls_platform_zeroize(made, sizeof *made);
}
