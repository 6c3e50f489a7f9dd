
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_status.h>

/* page/embed makes it, of the files in page/ */
#include <ngx_http_wholesale_page.h>


const ngx_http_wholesale_status_header_t
    ngx_http_wholesale_status_page_headers[] = {
    { "Content-Security-Policy",
      ngx_string(NGX_HTTP_WHOLESALE_PAGE_POLICY) },
    { "Referrer-Policy", ngx_string("no-referrer") },
    { NULL, ngx_null_string }
};


void
ngx_http_wholesale_status_page(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_wholesale_write_static(w, ngx_http_wholesale_page,
                               sizeof(ngx_http_wholesale_page));
}
